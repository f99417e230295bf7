# A visitor checks in, reads the ticket, answers about consents, and comes back to it.
snap idle-closed
laptop day_open
snap idle
press yes
snap language
press {choose}
snap need
press down
snap need-next
press yes
snap flags
press down down down
snap flags-later
press up up up yes
snap lane
press yes
snap size
press down yes
snap pictogram
press down down yes
snap ticket-family
press yes
snap ticket-family-second
press yes
snap seat
press yes
snap intro
press yes
snap consent
press down yes
snap consent-second
press down yes
snap idle-waiting
laptop chair_open 1
laptop call 1
wait 1 s
snap idle-called
press back
hold help
press {choose}
snap mine
press yes
snap mine_code
type udyb
snap mine_code-half
type udyb
snap mine_code-wrong
hold back
laptop checkin need=toothache lane=any lang={lang} pictogram=fish
press yes
type $code
snap mine_visit
press down yes
snap mine_done
press yes
snap mine_visit-given
press up yes
snap mine_done-withdrawn
press yes yes
snap mine_leave
press down yes
snap mine_done-left
press yes back
hold help
press {choose}
press down yes
snap mine_find
press yes
snap mine_found
press back back back
laptop checkin need=checkup lane=any lang={lang} pictogram=kite
laptop consent_give ticket=$4 purpose=teaching
laptop left ticket=$4
press back yes
type $code
snap mine_visit-ended
press yes
snap mine_done-ended
