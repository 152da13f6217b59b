package main

import (
	"fmt"
	"math/rand/v2"
)

// messages returns what a workload sends. It is the same in every process.
func messages(of content, size int) [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	switch of {
	case contentBinary:
		return [][]byte{randomBytes(random, size)}
	case contentText:
		return [][]byte{document(random, size)}
	}
	// As many as fill deflate's window several times, so that the repetition
	// of the whole is never in sight of a compressor.
	all := make([][]byte, max(16, 256<<10/size))
	for i := range all {
		all[i] = document(random, size)
	}
	return all
}

func randomBytes(random *rand.Rand, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// document returns a JSON array of trades that is exactly size bytes long. Its
// last element is a string of digits that fills it up.
func document(random *rand.Rand, size int) []byte {
	const frame = len(`[""]`)
	b := append(make([]byte, 0, size), '[')
	for {
		t := trade(random)
		if len(b)+len(t)+frame > size {
			break
		}
		b = append(b, t...)
	}
	b = append(b, '"')
	for len(b) < size-2 {
		b = append(b, "0123456789abcdef"[random.IntN(16)])
	}
	return append(b, `"]`...)
}

func trade(random *rand.Rand) string {
	symbols := []string{"ACME", "GLOBEX", "INITECH", "HOOLI", "UMBRELLA", "STARK", "WAYNE", "TYRELL"}
	sides := []string{"buy", "sell"}
	return fmt.Sprintf(`{"id":%d,"symbol":%q,"price":%.2f,"size":%d,"side":%q,"time":17000%08d},`,
		random.IntN(1e9), symbols[random.IntN(len(symbols))], 50+random.Float64()*100,
		1+random.IntN(1000), sides[random.IntN(2)], random.IntN(1e8))
}

// A deck hands out its messages in turn, for ever.
type deck struct {
	messages [][]byte
	at       int
}

func (d *deck) next() []byte {
	if d.at == len(d.messages) {
		d.at = 0
	}
	d.at++
	return d.messages[d.at-1]
}
