"""Which screens stay in memory, by the names that `Ui.show` takes; kiosk.mine and kiosk.desk make others."""

from kiosk import checkin, emergency, idle, pictures, screens, ticket

SCREENS = (
    ("idle", idle.Idle),
    ("warning", screens.Warning),
    ("sorry", screens.Sorry),
    ("help", screens.Help),
    ("emergency", emergency.Emergency),
    ("language", checkin.Language),
    ("need", checkin.Need),
    ("flags", checkin.Flags),
    ("offer", checkin.Offer),
    ("lane", checkin.Lane),
    ("size", checkin.Size),
    ("pictogram", pictures.Pictogram),
    ("ticket", ticket.Ticket),
    ("seat", ticket.Seat),
    ("intro", ticket.Intro),
    ("consent", ticket.Consent),
)
