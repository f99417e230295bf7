# What cannot be, and how it is said: closed, full, tomorrow first, codes paused, nobody.
press yes {choose}
press down down down down down yes
snap sorry-closed
press yes
laptop day_open
press back
hold help
press {choose}
press down yes
snap sorry-nobody
press yes
laptop full_today full=true
press yes {choose}
press down down down down down yes
snap offer
press yes
snap lane-tomorrow
press yes
press yes
snap ticket-tomorrow
press yes
snap seat-tomorrow
press yes
snap idle-full
laptop promise need=toothache lane=any lang={lang} pictogram=snail
laptop day_close tomorrow
laptop day_open
laptop chair_open 1
press back yes
type $code
snap mine_visit-here
press yes
snap ticket-here
press yes yes back
laptop staff_set Ana udybud
hold yes
hold help
press {choose}
press yes
type udybud
press down down yes
snap desk_promised
press yes
snap desk_pick-promised
press yes
snap desk_sure-promised
press back down yes
snap desk_sure-wont
press back back back
press up up up yes
press yes {choose}
press down down down down down yes
press yes yes
snap ticket
press yes yes back
press back
hold help
press {choose}
press yes
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
snap sorry-paused
