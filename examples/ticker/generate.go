//go:build ignore

// This program writes trades.jsonl, the recording that the example plays. It
// writes the same file each time.
package main

import (
	"bufio"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"time"
)

// A listing is a symbol, its price in cents, which walks at random, and how
// much of the trade it has.
type listing struct {
	symbol string
	cents  float64
	share  int
}

var listings = []*listing{
	{"ACME", 18240, 28}, {"GLOBEX", 4312, 22}, {"INITECH", 985, 18},
	{"HOOLI", 51290, 14}, {"WONKA", 7735, 10}, {"TYRELL", 22610, 8},
}

var (
	random = rand.New(rand.NewPCG(2025, 7))
	clock  = time.Date(2025, time.March, 14, 13, 30, 0, 0, time.UTC)
)

func main() {
	f, err := os.Create("trades.jsonl")
	if err != nil {
		log.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, `{"time":"%s","status":"open"}`+"\n", stamp())
	for n := range 4000 {
		clock = clock.Add(time.Duration(random.ExpFloat64()*250) * time.Millisecond)
		switch {
		case n%500 == 499:
			fmt.Fprintf(w, `{"time":"%s","status":"heartbeat"}`+"\n", stamp())
		case n%800 == 133:
			fmt.Fprintln(w, damaged(trade(), n/800))
		default:
			fmt.Fprintln(w, trade())
		}
	}
	fmt.Fprintf(w, `{"time":"%s","status":"closed"}`+"\n", stamp())
	if err := w.Flush(); err != nil {
		log.Fatal(err)
	}
	if err := f.Close(); err != nil {
		log.Fatal(err)
	}
}

func stamp() string { return clock.Format("2006-01-02T15:04:05.000Z") }

// trade returns the next record. One trade in eight is an odd lot.
func trade() string {
	l := pick()
	l.cents *= math.Exp(random.NormFloat64() * 0.0004)
	size := 100 * (1 + int(random.ExpFloat64()*3))
	if random.IntN(8) == 0 {
		size = 1 + random.IntN(99)
	}
	side := [...]string{"buy", "sell"}[random.IntN(2)]
	return fmt.Sprintf(`{"time":"%s","symbol":"%s","price":%.2f,"size":%d,"side":"%s"}`, stamp(), l.symbol, l.cents/100, size, side)
}

func pick() *listing {
	n := random.IntN(100)
	for _, l := range listings {
		if n -= l.share; n < 0 {
			return l
		}
	}
	panic("the shares are less than 100")
}

// damaged spoils a record in one of several ways.
func damaged(record string, way int) string {
	switch way % 3 {
	case 0:
		return record[:len(record)/2]
	case 1:
		return `{"time":"` + stamp() + `","price":"n/a"}`
	default:
		return record + "}"
	}
}
