# A red flag; help; staff who do not come at once.
laptop day_open
press yes {choose}
press yes down yes
snap emergency
wait 65 s
snap emergency-again
laptop alert_ack
wait 1 s
snap emergency-seen
hold back
wait 2 min
press yes {choose}
press yes
press down down down yes
snap emergency-no-ambulance
laptop alert_ack
wait 3 min
snap idle-emergency
press yes {choose}
press help
snap help
press yes
hold help
snap language-anywhere
press back
press down
wait 65 s
snap warning
wait 60 s
snap idle-help
