package stickertoken

import (
	"sync"
	"time"
)

// DenyList holds the rights that were taken back while tokens for them may still live. Safe for concurrent use; the zero value
// denies nothing.
type DenyList struct {
	mu    sync.RWMutex
	until map[right]uint32
}

// right is one user's right to one sticker; a user id has at least one byte, so the empty one stands for every user.
type right struct {
	sticker uint64
	user    string
}

// Apply adds what a page of the feed says. Of two entries for one right the later end counts.
func (d *DenyList) Apply(page *Page) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = make(map[right]uint32)
	}
	for _, entry := range page.Revocations {
		for _, sticker := range entry.Stickers {
			of := right{sticker, entry.User}
			if entry.RefuseUntil > d.until[of] {
				d.until[of] = entry.RefuseUntil
			}
		}
	}
}

// Forget drops the entries whose tokens have all expired by now. Verification goes on while it looks for them.
func (d *DenyList) Forget(now time.Time) {
	var over []right
	d.mu.RLock()
	for of, until := range d.until {
		if now.Unix() >= int64(until) {
			over = append(over, of)
		}
	}
	d.mu.RUnlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, of := range over {
		// A page may have made it longer in between.
		if now.Unix() >= int64(d.until[of]) {
			delete(d.until, of)
		}
	}
}

// Len counts the pairs of sticker and user.
func (d *DenyList) Len() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.until)
}

func (d *DenyList) refuses(sticker uint64, user []byte, expiry uint32) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	// The conversion in the map's index does not allocate.
	return expiry <= d.until[right{sticker, string(user)}] || expiry <= d.until[right{sticker: sticker}]
}
