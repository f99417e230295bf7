"""Which screens there are, by the names that `Ui.show` takes; those of the staff desk make themselves."""

from kiosk import checkin, code, emergency, idle, mine, pictures, screens, ticket

SCREENS = (
    ("idle", idle.Idle),
    ("warning", screens.Warning),
    ("sorry", screens.Sorry),
    ("done", screens.Done),
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
    ("mine", mine.Mine),
    ("code", code.TicketCode),
    ("visit", mine.Visit),
    ("leave", mine.Leave),
    ("find", pictures.Find),
    ("found", pictures.Found),
)
