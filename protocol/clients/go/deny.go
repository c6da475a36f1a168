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

const (
	// atOnce is how many rights are looked at under one lock, so that no check waits for a whole page or list.
	atOnce = 1_000
	// keptFor is how many seconds an entry outlives its tokens, for clocks that are set (section 1.6).
	keptFor = 300
)

// Apply adds what a page of the feed says. Of two entries for one right the later end counts. Verification goes on meanwhile.
func (d *DenyList) Apply(page *Page) {
	for _, entry := range page.Revocations {
		for rest := entry.Stickers; len(rest) > 0; {
			part := rest
			if len(part) > atOnce {
				part = part[:atOnce]
			}
			d.enter(entry.User, part, entry.RefuseUntil)
			rest = rest[len(part):]
		}
	}
}

func (d *DenyList) enter(user string, stickers []uint64, refuseUntil uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = make(map[right]uint32)
	}
	for _, sticker := range stickers {
		of := right{sticker, user}
		if until, known := d.until[of]; !known || refuseUntil > until {
			d.until[of] = refuseUntil
		}
	}
}

// Forget drops the entries whose tokens had all expired 300 s before now. Verification goes on while it looks for them.
func (d *DenyList) Forget(now time.Time) {
	over := func(until uint32) bool { return now.Unix() >= int64(until)+keptFor }
	var found []right
	looked := 0
	d.mu.RLock()
	// A map may change while it is read in a loop, as long as nobody is at it at the same time.
	for of, until := range d.until {
		if over(until) {
			found = append(found, of)
		}
		if looked++; looked%atOnce == 0 {
			// Who waits to write would keep the checks waiting too.
			d.mu.RUnlock()
			d.mu.RLock()
		}
	}
	d.mu.RUnlock()
	for len(found) > 0 {
		part := found
		if len(part) > atOnce {
			part = part[:atOnce]
		}
		d.mu.Lock()
		for _, of := range part {
			// A page may have made it longer in between.
			if until, known := d.until[of]; known && over(until) {
				delete(d.until, of)
			}
		}
		d.mu.Unlock()
		found = found[len(part):]
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
	if until, known := d.until[right{sticker, string(user)}]; known && expiry <= until {
		return true
	}
	until, known := d.until[right{sticker: sticker}]
	return known && expiry <= until
}
