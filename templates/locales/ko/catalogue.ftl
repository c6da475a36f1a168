# 홈, 팩, 검색, 작가.
home-featured = 추천
home-newest = 새로 나왔어요
home-empty-title = 아직 진열대가 비어 있어요
home-empty-text = 첫 스티커를 준비하고 있어요. 조금만 기다려 주세요.

price-free = 무료
card-owned = 보유 중
card-animated = 움직이는 스티커

pack-stickers = 스티커 { $count }개
pack-contents = 이 팩의 스티커
pack-more = { $name }의 다른 팩
sticker-number = 스티커 { $count }
sticker-play = 재생

offer-get = 무료로 받기
offer-buy = { $price } 구매하기
offer-ordered = 주문 보기
offer-owned = 내 스티커에 있어요
offer-signed-out = 메신저에서 스토어를 열면 이 팩을 받을 수 있어요.
offer-unavailable = 지금은 판매하지 않는 팩이에요.
sandbox-note = 테스트 스토어예요. 실제로 결제되지 않아요.

search-title = 검색
search-label = 팩, 작가, 기분
search-submit = 검색
search-meanwhile = 새로 나왔어요
search-found = 팩 { $count }개를 찾았어요
search-nothing-title = 검색 결과가 없어요: “{ $name }”
search-nothing-text = 더 짧은 단어나 ‘행복’, ‘졸려’ 같은 기분으로 찾아보세요.

artist-kind = 작가
artist-packs = 팩 { $count }개
artist-shelf = 팩
artist-empty-title = 판매 중인 팩이 없어요
artist-empty-text = 지금은 이 작가의 팩을 볼 수 없어요.

offer-event = 선물로 받기
offer-event-until = 한 사람에 하나씩, 마감:
offer-gift = 선물하기
offer-gift-partner = 연인에게
offer-gift-partner-hint = 연인의 스티커에 바로 나타나요
offer-gift-partner-owns = 연인이 이미 가지고 있는 팩이에요
offer-gift-code = 코드로
offer-gift-code-hint = 원하는 사람에게 보내세요
pack-couple = 한 번 사면 연인과 함께 써요
