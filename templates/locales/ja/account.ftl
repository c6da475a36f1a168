# 入り口。
launch-title = ストアを開いています
launch-text = 少々お待ちください。
launch-without-script = ブラウザーでスクリプトが無効になっているため、ログインできません。ストアを見ることはできます。
launch-closed-title = メッセンジャーからストアを開いてください
launch-closed-text = このリンクはメッセンジャーから開いたときだけ使えます。ストアを見ることはできます。
