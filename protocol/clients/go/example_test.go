package stickertoken_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"example.com/stickertoken"
)

// A chat server starts once, and then asks of each sticker.
func ExampleFollowStore() {
	tokens, err := stickertoken.FollowStore(context.Background(), "https://stickers.example", os.Getenv("STICKER_STORE_SECRET"),
		stickertoken.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()

	send := func(sender []byte, sticker uint64, token string) bool {
		_, err := tokens.Verify(token, sticker, sender)
		if err != nil {
			log.Printf("sticker refused: %v", err)
		}
		return err == nil
	}
	send([]byte("alice"), 8675309, "AQAD...")
}

func ExampleVerifier_VerifyAt() {
	ring, err := stickertoken.ParseRing([]byte(`{"keys":[
	  {"id":3,"secret":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","state":"signing"}]}`))
	if err != nil {
		log.Fatal(err)
	}
	verifier := stickertoken.NewVerifier(ring)
	token := "AQADa0sjgAAAAAAAhF_tAY88mhEiczOERFVmd4iZqiEthktj0iTS9VuS8S6Dhedo5unjdQ29YbVjkYc1bQaC"
	user := []byte("\x01\x8f\x3c\x9a\x11\x22\x73\x33\x84\x44\x55\x66\x77\x88\x99\xaa")

	expires, err := verifier.VerifyAt(token, 8675309, user, time.Unix(1800000000, 0))
	fmt.Println(expires.Unix(), err)
	_, err = verifier.VerifyAt(token, 8675309, []byte("mallory"), time.Unix(1800000000, 0))
	fmt.Println(errors.Is(err, stickertoken.WrongUser), err)
	// Output:
	// 1800086400 <nil>
	// true wrong_user
}
