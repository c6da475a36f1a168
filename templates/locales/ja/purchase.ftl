# 注文と支払い。
orders-title = 注文履歴
orders-empty-title = まだ注文がありません
orders-empty-text = 入手または購入したパックがここに表示されます。

order-title = 注文
order-state = 状態
order-day = 注文日
order-number = 注文番号
order-total = 合計
order-state-created = 未払い
order-state-pending = 支払い待ち
order-state-paid = 支払い済み
order-state-granted = 完了
order-state-revoked = 返金済み
order-pay-test = テスト用のお金で支払う
order-wait = お支払いを待っています。確認でき次第、マイスタンプに表示されます。
order-granted = スタンプを入手しました。さっそく送ってみましょう！
order-to-library = マイスタンプを見る
order-revoked = この注文は返金され、パックはマイスタンプから削除されました。
order-to-pack = パックを見る
