# The staff desk through a small day.
hold yes
hold help
press {choose}
snap desk_in-nobody
press yes
laptop staff_set Ana udybud
laptop staff_set Bo uuuuuu
hold yes
hold help
press {choose}
snap desk_in
press yes
snap desk_pin
type uuu
snap desk_pin-half
type uuu
snap desk_wait
wait 10 s
press yes
type udybud
snap desk-closed
press yes
snap desk_sure-day
press yes
snap desk-open
press down down down down yes
snap desk_pick-chair
press yes
snap desk_pick-lanes
press yes
snap desk-free
laptop checkin need=toothache lane=any lang={lang} pictogram=fish
laptop checkin need=checkup lane=any lang={lang} pictogram=bell
laptop checkin need=swelling lane=any lang={lang} pictogram=kite
wait 90 s
press up
wait 90 s
press up up up up yes
snap desk_acts-chair
press yes
wait 1 s
snap desk-called
press yes
snap desk_acts-called
press yes
snap desk-seated
press yes
snap desk_acts-seated
press back
press down yes
snap desk_queue
press yes
snap desk_acts-waiting
press down yes
snap desk_pick-class
press down yes
snap desk_pick-why
press yes
snap desk_sure-class
press back back back back
press down down yes
snap desk_sure-undo
press back
laptop alert_raise why=help
wait 2 s
snap desk_alert
press yes
press down down down yes
snap desk_close
press down down yes
snap desk_pick-how
press back back
press up up up up up up yes
press yes
snap desk-served
wait 98 s
snap warning-desk
