# 사용자가 가진 것.
library-title = 내 스티커
library-packs = 팩 { $count }개를 바로 보낼 수 있어요
library-empty-title = 아직 스티커가 없어요
library-empty-text = 받은 팩은 여기와 메신저에 나타나요.
library-taken-down = 더 이상 제공되지 않아요
library-gift = 친구의 선물
library-shared = 연인과 함께 쓰는 팩
