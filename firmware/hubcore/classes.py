"""Need classes, lanes and rates: everything, besides the time waited, that the order may know."""

# SDCEP, Management of Acute Dental Problems; position is the class number on the wire and in the pick.
NEEDS = ("emergency", "urgent", "non-urgent")
EMERGENCY = 0

# Priority gained per second of waiting, by class. The first is not used: emergencies are strictly first. A
# rate is at most MAX_RATE, so that rate x seconds stays below 2**30 for a wait of eleven days.
RATES = (12, 4, 1)
MAX_RATE = 1000
MAX_WAIT_S = 1_000_000

# Kinds of care. Who waits in ANY_LANE may be called to every chair.
ANY_LANE = "any"
LANES = (ANY_LANE, "adult", "child")

# What a visitor can say at the kiosk, and the class that counts until staff change it. 0: a red flag.
# "sepsis": fever with swelling, or confused.
SAID = {
    "toothache": 1,
    "swelling": 1,
    "bleeding": 1,
    "broken": 1,
    "denture": 1,
    "checkup": 2,
    "breathing": 0,
    "swelling_face": 0,
    "bleeding_heavy": 0,
    "injury": 0,
    "sepsis": 0,
}

# The red flags at which an ambulance is to be called at once (SDCEP: airway, sepsis, major injury).
AMBULANCE = ("breathing", "sepsis", "injury")

# What a visitor can consent to, each alone and withdrawn at will: a student may watch or help; answers may be
# used, without a name, to study care.
PURPOSES = ("teaching", "study")

# What becomes of those who still wait when the day is closed; position is the number on the wire.
RESTS = ("tomorrow", "left")


def class_of(need: str) -> int:
    """The class number of a need: a class name, or what a visitor can say. Raises KeyError for others."""
    if need in NEEDS:
        return NEEDS.index(need)
    return SAID[need]
