# Orders and paying.
orders-title = Orders
orders-empty-title = No orders yet
orders-empty-text = Every pack you get or buy is listed here.

order-title = Order
order-state = Status
order-day = Ordered
order-number = Order number
order-total = Total
order-state-created = Not paid
order-state-pending = Waiting for payment
order-state-paid = Paid
order-state-granted = Completed
order-state-revoked = Refunded
order-pay-test = Pay with test money
order-wait = We are waiting for the payment. The pack appears in your library as soon as it arrives.
order-granted = The pack is yours. Have fun!
order-to-library = Go to my stickers
order-revoked = This order was refunded, and the pack is no longer in your library.
order-to-pack = See the pack
