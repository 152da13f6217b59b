package stream_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// What a batch has gathered can be taken while a pause holds back the rest.
func TestBatchBeforeAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		batches := c.Batches(t.Context(), nil)
		one := c.Chan(t.Context(), nil)
		paused := false
		c.OnBinary(func([]byte) {
			if !paused {
				paused = true
				time.AfterFunc(time.Hour, c.Pause())
			}
		})
		synctest.Wait()
		start := time.Now()
		theirs.Write([]byte{0x82, 1, 'x', 0x82, 1, 'y'})
		<-one.C
		<-batches.C
		if d := time.Since(start); d > 0 {
			t.Errorf("the batch came after %v", d)
		}
		c.CloseNow(nil)
	})
}

// It can be taken while our Close waits for a peer that reads nothing.
func TestBatchBeforeACloseThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, theirs := overPipe(t)
		batches := c.Batches(t.Context(), nil)
		start := time.Now()
		theirs.Write([]byte{0x82, 1, 'x', 0x88, 2, 3, 0xE8})
		<-batches.C
		if d := time.Since(start); d > 0 {
			t.Errorf("the message came after %v", d)
		}
		c.CloseNow(nil)
	})
}
