# The way in.
launch-title = Opening the store
launch-text = Just a moment.
launch-without-script = Your browser blocks scripts, so we cannot sign you in. You can still look around the store.
launch-closed-title = Please open the store in your messenger
launch-closed-text = This link works only when your messenger opens it. You can still look around.
