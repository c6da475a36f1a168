package stickertoken

import (
	"encoding/json"
	"errors"
	"math"
)

// What a page holds at most.
const (
	// maxListed bounds the entries of a page, and the stickers of an entry.
	maxListed = 10_000
	// maxStickers bounds the stickers of a page.
	maxStickers = 200_000
)

// ErrBadPage refuses a page of the deny feed as a whole.
var ErrBadPage = errors.New("bad_page")

// Page is one answer of the deny feed (section 1.6).
type Page struct {
	Revocations []Revocation
	// Cursor is what to ask after next time.
	Cursor uint64
	// More says that there is more to ask for at once.
	More bool
}

// Revocation takes back the right to some stickers.
type Revocation struct {
	// User is a user's bytes; the empty string is every user.
	User string
	// Stickers that the user may no longer send.
	Stickers []uint64
	// RefuseUntil is the last expiry, in Unix seconds, of the tokens to refuse.
	RefuseUntil uint32
}

// ParsePage reads an answer of the deny feed to who asked after a cursor; the error is [ErrBadPage]. A page that goes back, or
// that has more and does not move on, is refused too.
func ParsePage(body []byte, after uint64) (*Page, error) {
	whole, err := parseObject(body, "revocations", "cursor", "more")
	cursor, isWhole := whole.whole("cursor", maxSafeInt)
	more, isBool := whole.boolean("more")
	if err != nil || !isWhole || !isBool || cursor < after || more && cursor == after {
		return nil, ErrBadPage
	}
	page, stickers := &Page{Cursor: cursor, More: more}, 0
	ok := elements(whole["revocations"], func(raw json.RawMessage) bool {
		entry, isObject := members(raw, "cursor", "user_hex", "sticker_ids", "refuse_until")
		var revocation Revocation
		if !isObject || len(page.Revocations) == maxListed || !revocation.read(entry) {
			return false
		}
		page.Revocations = append(page.Revocations, revocation)
		stickers += len(revocation.Stickers)
		return stickers <= maxStickers
	})
	if !ok {
		return nil, ErrBadPage
	}
	return page, nil
}

func (r *Revocation) read(entry object) bool {
	if string(entry["user_hex"]) != "null" {
		user, ok := entry.hex("user_hex", 1, maxUserLen)
		if !ok {
			return false
		}
		r.User = string(user)
	}
	areIDs := elements(entry["sticker_ids"], func(raw json.RawMessage) bool {
		id, ok := parseWhole(raw, maxSafeInt)
		r.Stickers = append(r.Stickers, id)
		return ok && id > 0 && len(r.Stickers) <= maxListed
	})
	until, isTime := entry.whole("refuse_until", math.MaxUint32)
	_, isCursor := entry.whole("cursor", maxSafeInt)
	r.RefuseUntil = uint32(until)
	return areIDs && isTime && isCursor
}
