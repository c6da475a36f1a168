# Home, packs, search and artists.
home-featured = Featured
home-newest = Just in
home-empty-title = The shelves are still empty
home-empty-text = The first packs are on their way. Come back soon.

price-free = Free
card-owned = Yours
card-animated = Animated

pack-stickers = { $count ->
    [one] { $count } sticker
   *[other] { $count } stickers
}
pack-contents = Stickers in this pack
pack-more = More by { $name }
sticker-number = Sticker { $count }
sticker-play = Play

offer-get = Get for free
offer-buy = Buy for { $price }
offer-ordered = See your order
offer-owned = In your library
offer-signed-out = To get this pack, open the store in your messenger.
offer-unavailable = This pack is not on sale right now.
sandbox-note = Test store. No real money is charged.

search-title = Search
search-label = Packs, artists, feelings
search-submit = Search
search-meanwhile = Just in
search-found = { $count ->
    [one] { $count } pack found
   *[other] { $count } packs found
}
search-nothing-title = Nothing found for “{ $name }”
search-nothing-text = Try a shorter word, or a feeling such as “happy” or “sleepy”.

artist-kind = Artist
artist-packs = { $count ->
    [one] { $count } pack
   *[other] { $count } packs
}
artist-shelf = Packs
artist-empty-title = No packs on sale
artist-empty-text = There is nothing by this artist at the moment.

offer-event = Get it as a present
offer-event-until = One for each, until
offer-gift = Give as a gift
offer-gift-partner = To your partner
offer-gift-partner-hint = In their stickers at once
offer-gift-partner-owns = Your partner has this pack already
offer-gift-code = With a code
offer-gift-code-hint = Send it to whomever you like
pack-couple = Bought once, for you and your partner
