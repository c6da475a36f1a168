# ホーム、パック、検索、作者。
home-featured = おすすめ
home-newest = 新着
home-empty-title = まだ棚は空っぽです
home-empty-text = 最初のスタンプを準備しています。もう少しお待ちください。

price-free = 無料
card-owned = 入手済み
card-animated = 動くスタンプ

pack-stickers = スタンプ{ $count }個
pack-contents = このパックのスタンプ
pack-more = { $name } のほかのパック
sticker-number = スタンプ { $count }
sticker-play = 再生

offer-get = 無料で入手
offer-buy = { $price } で購入
offer-ordered = 注文を見る
offer-owned = マイスタンプにあります
offer-signed-out = メッセンジャーからストアを開くと入手できます。
offer-unavailable = このパックは現在販売していません。
sandbox-note = テスト用のストアです。実際の請求はありません。

search-title = 検索
search-label = パック、作者、気持ち
search-submit = 検索
search-meanwhile = 新着
search-found = { $count }件のパックが見つかりました
search-nothing-title = 「{ $name }」は見つかりませんでした
search-nothing-text = 短い言葉や「うれしい」「ねむい」などの気持ちで試してみてください。

artist-kind = 作者
artist-packs = パック{ $count }個
artist-shelf = パック
artist-empty-title = 販売中のパックはありません
artist-empty-text = この作者のパックは現在ありません。

offer-event = プレゼントを受け取る
offer-event-until = お一人様1つ、期限：
offer-gift = ギフトとして贈る
offer-gift-partner = パートナーに
offer-gift-partner-hint = 相手のスタンプにすぐ届きます
offer-gift-partner-owns = パートナーはすでにこのパックを持っています
offer-gift-code = コードで
offer-gift-code-hint = 好きな人に送れます
pack-couple = ひとつ買えば、パートナーもいっしょに使えます
