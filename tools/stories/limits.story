# What cannot be, and how it is said: closed, full, tomorrow first, codes paused, nobody.
press yes {choose}
press down down down down down yes
snap sorry-closed
press yes
laptop day_open
press back down yes
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
laptop full_today full=false
laptop chair_open 1
press yes {choose}
press down down down down down yes
press yes
press yes
snap ticket
press yes yes back
laptop call 1
laptop no_show $1
press back yes
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
type uuuuuuuu
snap sorry-paused
