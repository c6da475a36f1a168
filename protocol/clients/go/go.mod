module example.com/stickertoken

go 1.19
