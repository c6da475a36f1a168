# すべてのページに出る文。
store-name = スタンプストア
page-title = { $name } · スタンプストア
skip-to-content = 本文へ移動
tabs-label = ストア
tab-store = ストア
tab-search = 検索
tab-library = マイスタンプ
languages-label = 言語
to-store = ストアを見てみる
close = 閉じる
day = { $year }年{ $month }月{ $day }日
