# 주문과 결제.
orders-title = 주문 내역
orders-empty-title = 아직 주문이 없어요
orders-empty-text = 받거나 구매한 팩이 모두 여기에 나와요.

order-title = 주문
order-state = 상태
order-day = 주문일
order-number = 주문 번호
order-total = 합계
order-state-created = 결제 전
order-state-pending = 결제 대기 중
order-state-paid = 결제 완료
order-state-granted = 완료
order-state-revoked = 환불됨
order-pay-test = 테스트 머니로 결제하기
order-wait = 결제를 기다리고 있어요. 확인되는 대로 내 스티커에 나타나요.
order-granted = 이제 내 스티커예요. 마음껏 보내 보세요!
order-to-library = 내 스티커 보기
order-revoked = 환불된 주문이라 내 스티커에서 빠졌어요.
order-to-pack = 팩 보기
