# What every page shows.
store-name = Sticker Store
page-title = { $name } · Sticker Store
skip-to-content = Skip to content
tabs-label = Store
tab-store = Store
tab-search = Search
tab-library = My stickers
languages-label = Language
to-store = Look around the store
close = Close
day = { $day } { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
} { $year }
