"""`smilehub desk`: every act of the front desk, the same as at the kiosk's staff desk."""

import rich_click as click

from smilehub.cli.desk_checkin import check_in
from smilehub.cli.desk_day import alert, chair, day, full, lift, pause, undo, unpause
from smilehub.cli.desk_staff import staff
from smilehub.cli.desk_ticket import (
    call,
    change_class,
    consent,
    defer,
    left,
    no_show,
    recall,
    requeue,
    seated,
    served,
    transfer,
)


@click.group(
    cls=click.RichGroup,
    epilog="The commonest acts work without the word desk too: `smilehub call 1`. Each act is one record "
    "on the kiosk, and says in its help what it does to the time that a visitor has waited.",
)
def desk() -> None:
    """Everything that staff do at the desk, from this laptop.

    \b
    smilehub desk check-in
    smilehub desk requeue K47 --why "X-ray first"
    smilehub desk full on
    """


for _command in (
    day,
    chair,
    full,
    pause,
    unpause,
    check_in,
    call,
    recall,
    seated,
    served,
    no_show,
    requeue,
    transfer,
    change_class,
    defer,
    left,
    consent,
    alert,
    lift,
    undo,
    staff,
):
    desk.add_command(_command)
