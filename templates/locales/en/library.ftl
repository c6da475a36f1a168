# What a user owns.
library-title = My stickers
library-packs = { $count ->
    [one] { $count } pack, ready to send
   *[other] { $count } packs, ready to send
}
library-empty-title = No stickers yet
library-empty-text = Packs that you get appear here and in your messenger.
library-taken-down = No longer available
library-gift = From a friend
library-shared = Shared by your partner
