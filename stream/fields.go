package stream

import (
	"encoding/binary"
	"net/http"
)

// Fields are a header in one string: names and values by turns, each behind its length.
// A map takes five times as much memory. Connections are many, and few are asked for
// their header.
type fields string

// newFields returns the fields of a header. A name without a value is left out.
func newFields(header http.Header) fields {
	var b []byte
	add := func(text string) { b = append(binary.AppendUvarint(b, uint64(len(text))), text...) }
	for name, values := range header {
		for _, value := range values {
			add(name)
			add(value)
		}
	}
	return fields(b)
}

// header returns the fields as a header, nil if there are none.
func (f fields) header() http.Header {
	if f == "" {
		return nil
	}
	header := make(http.Header)
	for f != "" {
		name := f.next()
		header[name] = append(header[name], f.next())
	}
	return header
}

// next takes the first name or value away.
func (f *fields) next() string {
	length, size := binary.Uvarint([]byte((*f)[:min(len(*f), binary.MaxVarintLen64)]))
	text := (*f)[size:][:length]
	*f = (*f)[size:][length:]
	return string(text)
}
