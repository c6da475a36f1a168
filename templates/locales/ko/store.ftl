# 모든 페이지에 나오는 글.
store-name = 스티커 스토어
page-title = { $name } · 스티커 스토어
skip-to-content = 본문으로 건너뛰기
tabs-label = 스토어
tab-store = 스토어
tab-search = 검색
tab-library = 내 스티커
languages-label = 언어
to-store = 스토어 둘러보기
close = 닫기
day = { $year }년 { $month }월 { $day }일
