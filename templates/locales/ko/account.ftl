# 들어오는 길.
launch-title = 스토어를 여는 중이에요
launch-text = 잠시만 기다려 주세요.
launch-without-script = 브라우저에서 스크립트를 막아 두어 로그인할 수 없어요. 스토어는 둘러볼 수 있어요.
launch-closed-title = 메신저에서 스토어를 열어 주세요
launch-closed-text = 이 링크는 메신저에서 열 때만 쓸 수 있어요. 스토어는 둘러볼 수 있어요.
