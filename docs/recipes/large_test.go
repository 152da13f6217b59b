package recipes_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"testing"
	"testing/iotest"

	"github.com/wsflow/wsflow/dial"
	"github.com/wsflow/wsflow/result"
	"github.com/wsflow/wsflow/stream"
)

// upload sends all of file as one message, which is never in memory as a whole.
// If file fails half way, the connection ends: half a file must not look like
// one.
func upload(ctx context.Context, conn *stream.Conn, file io.Reader) error {
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	w, err := conn.Writer(ctx, stream.Binary)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, file); err != nil {
		giveUp()
		w.Close()
		return err
	}
	return w.Close()
}

// download writes the next message to file. Options.SizeLimit does not bound it:
// io.LimitReader would.
func download(ctx context.Context, conn *stream.Conn, file io.Writer) error {
	_, r, err := conn.Reader(ctx)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	return err
}

func Example_large() {
	server := talk(echo)
	defer server.Close()
	ctx := context.Background()
	conn, err := dial.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}

	const size = 4 << 20
	sent, received := sha256.New(), sha256.New()
	file := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), sent)
	if err := upload(ctx, conn, file); err != nil {
		log.Fatal(err)
	}
	if err := download(ctx, conn, received); err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same bytes:", bytes.Equal(sent.Sum(nil), received.Sum(nil)))
	fmt.Println(conn.Shutdown(ctx, result.StatusNormalClosure, ""))
	// Output:
	// the same bytes: true
	// <nil>
}

// The server never sees half a file as a whole one.
func TestUploadThatFailsHalfWay(t *testing.T) {
	near, far := net.Pipe()
	client, err := stream.New(near, stream.Client, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := stream.New(far, stream.Server, nil)
	if err != nil {
		t.Fatal(err)
	}
	uploaded := make(chan error)
	go func() {
		uploaded <- upload(t.Context(), client, io.MultiReader(io.LimitReader(rand.NewChaCha8([32]byte{}), 100_000), iotest.ErrReader(errDisk)))
	}()
	var closed *result.CloseError
	if err := download(t.Context(), server, io.Discard); !errors.As(err, &closed) || closed.Code != result.StatusInternalError {
		t.Errorf("the server gets %v, want a Close with 1011", err)
	}
	if err := <-uploaded; err != errDisk {
		t.Errorf("upload gives %v, want %v", err, errDisk)
	}
	client.CloseNow(nil)
	server.CloseNow(nil)
}

var errDisk = errors.New("the disk fails")
