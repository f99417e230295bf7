# Everyday faults: power, wall, a key, no laptop for a week.
laptop staff_set Ana udybud
laptop day_open
laptop chair_open 1
press yes {choose}
press down down down down down yes
press yes
press yes
power off 5 s
snap ticket-kept
press yes
laptop call 1
wait 70 s
laptop recall $1
power off 5 s
snap idle-kept
press yes back
wait 1 s
break wall
wait 3 min
snap idle-wall
mend wall
wait 3 min
break up
wait 2 min
snap idle-key
mend up
wait 1 min
unplug
power off 99 h
power off 99 h
wait 5 s
press yes back
wait 1 s
snap idle-laptop
hold yes
hold help
press {choose}
press yes
type udybud
snap desk-troubles
press up up yes
snap desk_health
press yes
snap desk_say
