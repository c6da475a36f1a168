# ユーザーが持っているもの。
library-title = マイスタンプ
library-packs = { $count }個のパックをすぐに送れます
library-empty-title = まだスタンプがありません
library-empty-text = 入手したパックは、ここと、メッセンジャーに表示されます。
library-taken-down = 現在は提供されていません
library-gift = 友だちからのギフト
library-shared = パートナーと共有
