package stickertoken

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sort"
	"testing"
	"time"
)

const (
	rounds  = 201
	repeats = 2000
)

// BenchmarkVerify measures the complete verification of a token beside its lower bound: the HMAC of the same bytes with a
// prepared key, and the decoding of the text. Both in turns in one run, medians of the rounds; what counts is the ratio.
func BenchmarkVerify(b *testing.B) {
	v := verifier(b, bothKeys)
	v.Denied.Apply(&Page{Revocations: []Revocation{{User: "another", Stickers: []uint64{1, 2, 3}, RefuseUntil: expiry}}})
	verify := func() {
		if _, err := v.VerifyAt(golden, sticker, owner, early); err != nil {
			b.Fatal(err)
		}
	}
	mac, text := hmac.New(sha256.New, unhex(sequence)), []byte(golden)
	token := make([]byte, base64.RawURLEncoding.DecodedLen(len(text)))
	signed, sum := make([]byte, 16+15+16), make([]byte, 0, sha256.Size)
	bound := func() {
		if _, err := base64.RawURLEncoding.Decode(token, text); err != nil {
			b.Fatal(err)
		}
		mac.Reset()
		mac.Write(signed)
		mac.Sum(sum)
	}
	if allocations := testing.AllocsPerRun(1000, verify); allocations != 0 {
		b.Fatal("allocations for each token: ", allocations)
	}
	ed25519 := issue(2, 4, expiry, sticker, owner)
	verifyV2 := func() {
		if _, err := v.VerifyAt(ed25519, sticker, owner, early); err != nil {
			b.Fatal(err)
		}
	}
	whole, least, second := make([]float64, rounds), make([]float64, rounds), make([]float64, rounds)
	for round := range whole {
		whole[round], least[round] = each(repeats, verify), each(repeats, bound)
		second[round] = each(repeats/200, verifyV2)
	}
	ratio := median(whole) / median(least)
	fmt.Printf("verify %.0f ns, 0 allocations; HMAC-SHA256 and base64 %.0f ns; ratio %.2f; version 2: %.0f ns\n",
		median(whole), median(least), ratio, median(second))
	b.ReportMetric(ratio, "ratio")
	b.ResetTimer()
	for n := 0; n < b.N; n++ {
		verify()
	}
}

func each(times int, do func()) float64 {
	start := time.Now()
	for n := 0; n < times; n++ {
		do()
	}
	return float64(time.Since(start).Nanoseconds()) / float64(times)
}

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}
