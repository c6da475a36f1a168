package stickertoken

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"net/http"
	"sync"
	"time"
)

// Updater is a [Verifier] whose ring and deny list are kept fresh in the background, until its context ends or it is closed.
// Whatever fails, it goes on with the last good ring and the entries it has; [Updater.Status] tells how old they are.
type Updater struct {
	*Verifier
	options Options
	stop    context.CancelFunc
	mu      sync.Mutex
	// working counts the loops that are not in OnProblem; idle tells when it falls.
	working int
	idle    *sync.Cond
	ring    freshness
	feed    freshness
}

// Options of an Updater; the zero value has the defaults.
type Options struct {
	// StartTimeout is how long to wait at the start, 30 seconds if zero.
	StartTimeout time.Duration
	// OnProblem hears of each failure that differs from the one before it in the same place. It may be called from several
	// goroutines, and may close the Updater. Without it they go to the standard logger. No error has a key or the secret in it.
	OnProblem func(error)
	// Transport is for the store, [http.DefaultTransport] if nil.
	Transport http.RoundTripper
	pace      pace
	clock     func() time.Time
}

// Status says how fresh an Updater's knowledge is.
type Status struct {
	// RingAge and FeedAge are the times since each was last known to be up to date; FeedAge is 0 with a key file.
	RingAge, FeedAge time.Duration
	// RingFailures and FeedFailures count all failed attempts.
	RingFailures, FeedFailures uint64
}

// pace has the waiting times, which tests shorten.
type pace struct {
	file, ring, answer, retry, maxRetry, forget time.Duration
	// poll is in whole seconds.
	poll int
}

var usualPace = pace{
	file: 3 * time.Second, ring: 30 * time.Second, answer: 10 * time.Second,
	retry: time.Second, maxRetry: 30 * time.Second, forget: time.Minute, poll: 25,
}

// freshness is what is known of one thing that is kept up to date.
type freshness struct {
	last     time.Time
	failures uint64
	problem  error
	first    chan struct{}
}

// WatchFile reads a key file, and again every few seconds. At the start it refuses a bad file, or one that others than its
// owner may read; later it reports such a file and keeps the last good ring.
func WatchFile(ctx context.Context, path string, options Options) (*Updater, error) {
	u := newUpdater(options)
	source := &fileSource{path: path}
	if err := source.load(u.Verifier); err != nil {
		return nil, err
	}
	u.succeeded(&u.ring)
	ctx, u.stop = context.WithCancel(ctx)
	u.keep(ctx, &u.ring, func(context.Context) error { return source.load(u.Verifier) }, u.options.pace.file, u.options.pace.file)
	return u, nil
}

// FollowStore keeps ring and deny list as the store at the address says. The secret is an API client's with the scope
// verify or verify_public. It returns when the first ring is there and the deny feed was read to its end, or says why not.
func FollowStore(ctx context.Context, address, secret string, options Options) (*Updater, error) {
	u := newUpdater(options)
	store, err := newStore(address, secret, u.options)
	if err != nil {
		return nil, err
	}
	ring, feed := &ringSource{store: store}, &feedSource{store: store}
	ctx, u.stop = context.WithCancel(ctx)
	pace := u.options.pace
	u.keep(ctx, &u.ring, func(ctx context.Context) error { return ring.load(ctx, u.Verifier) }, pace.ring, pace.maxRetry)
	// The poll itself waits; the pause spares a store that answers at once.
	u.keep(ctx, &u.feed, func(ctx context.Context) error { return feed.load(ctx, u.Verifier) }, pace.retry, pace.maxRetry)
	timeout := time.NewTimer(u.options.StartTimeout)
	defer timeout.Stop()
	for _, part := range []*freshness{&u.ring, &u.feed} {
		select {
		case <-part.first:
			continue
		case <-ctx.Done():
			err = ctx.Err()
		case <-timeout.C:
			err = u.late(part)
		}
		u.Close()
		return nil, err
	}
	return u, nil
}

// Close ends the background work and waits for it, but not for an OnProblem that is running, which may be what calls it. The
// Verifier goes on with what it has.
func (u *Updater) Close() {
	u.stop()
	u.wait()
}

func (u *Updater) wait() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.working > 0 {
		u.idle.Wait()
	}
}

func (u *Updater) work(more int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.working += more
	u.idle.Broadcast()
}

// Status tells what to alarm on.
func (u *Updater) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	status := Status{RingAge: time.Since(u.ring.last), RingFailures: u.ring.failures, FeedFailures: u.feed.failures}
	if !u.feed.last.IsZero() {
		status.FeedAge = time.Since(u.feed.last)
	}
	return status
}

func newUpdater(options Options) *Updater {
	if options.StartTimeout == 0 {
		options.StartTimeout = 30 * time.Second
	}
	if options.OnProblem == nil {
		options.OnProblem = func(err error) { log.Printf("sticker tokens: %v", err) }
	}
	if options.pace == (pace{}) {
		options.pace = usualPace
	}
	if options.clock == nil {
		options.clock = time.Now
	}
	u := &Updater{Verifier: NewVerifier(new(Ring)), options: options}
	u.idle = sync.NewCond(&u.mu)
	u.ring.first, u.feed.first = make(chan struct{}), make(chan struct{})
	return u
}

// keep loads again and again: after a pause when it went well, else after a growing and random one.
func (u *Updater) keep(ctx context.Context, part *freshness, load func(context.Context) error, pause, maxRetry time.Duration) {
	u.work(1)
	go func() {
		defer u.work(-1)
		retry := u.options.pace.retry
		// Without a seed of its own every server would draw the same numbers in old releases of Go.
		random := rand.New(rand.NewSource(time.Now().UnixNano()))
		for ctx.Err() == nil {
			wait := pause
			err := load(ctx)
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				u.succeeded(part)
				retry = u.options.pace.retry
			} else {
				u.failed(part, err)
				wait = retry/2 + time.Duration(random.Int63n(int64(retry/2)+1))
				if retry *= 2; retry > maxRetry {
					retry = maxRetry
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	}()
}

func (u *Updater) succeeded(part *freshness) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if part.last.IsZero() {
		close(part.first)
	}
	part.last, part.problem = time.Now(), nil
}

func (u *Updater) failed(part *freshness, err error) {
	u.mu.Lock()
	known := part.problem != nil && part.problem.Error() == err.Error()
	part.failures++
	part.problem = err
	u.mu.Unlock()
	if !known {
		u.work(-1)
		defer u.work(1)
		u.options.OnProblem(err)
	}
}

func (u *Updater) late(part *freshness) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if part.problem == nil {
		return errors.New("the store did not give ring and deny feed in time")
	}
	return fmt.Errorf("the store did not give ring and deny feed in time: %w", part.problem)
}
