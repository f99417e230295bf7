# The clock's battery is empty: the day goes on, and whoever works at the desk is told.
break battery
snap idle-clock
laptop staff_set Ana udybud
unplug
power off 5 s
hold yes
hold help
press {choose}
press yes
type udybud
snap desk-trouble
press down yes
snap desk_health-clock
press yes
snap desk_say-clock
