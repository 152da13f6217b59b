package main

import (
	"cmp"
	"fmt"
	"slices"
)

// A sample is what one measurement found. What does not apply is 0.
type sample struct {
	Rate       float64 `json:"messagesPerSecond,omitempty"`
	CPU        float64 `json:"cpuNanosecondsPerMessage,omitempty"` // user and system, of the whole process
	Wire       float64 `json:"wireBytesPerMessage,omitempty"`      // frame headers included
	Memory     float64 `json:"memoryBytesPerConnection,omitempty"` // heap in use and stacks
	Goroutines float64 `json:"goroutinesPerConnection,omitempty"`
	Resident   float64 `json:"residentPeakBytesPerConnection,omitempty"` // the process' growth since before the first
	P50        float64 `json:"latencyP50Nanoseconds,omitempty"`
	P99        float64 `json:"latencyP99Nanoseconds,omitempty"`
	Dials      float64 `json:"dialsPerSecond,omitempty"`
	DialCPU    float64 `json:"cpuNanosecondsPerDial,omitempty"`
}

// String writes what applies.
func (s sample) String() string {
	switch {
	case s.Dials > 0:
		return fmt.Sprintf("%10.0f/s %8.0f ns CPU %9.0f B a connection %6.0f dials/s", s.Rate, s.CPU, s.Memory, s.Dials)
	case s.Rate == 0:
		return fmt.Sprintf("%9.0f B  %5.2f goroutines", s.Memory, s.Goroutines)
	case s.Wire > 0:
		return fmt.Sprintf("%10.0f/s %8.0f ns CPU %8.1f B on the wire", s.Rate, s.CPU, s.Wire)
	default:
		return fmt.Sprintf("%10.0f/s %8.0f ns CPU", s.Rate, s.CPU)
	}
}

// A figure is one number of a sample.
type figure string

const (
	figureRate       figure = "messages/s"
	figureCPU        figure = "ns of CPU"
	figureWire       figure = "bytes on the wire"
	figureMemory     figure = "bytes a connection"
	figureGoroutines figure = "goroutines a connection"
	figureResident   figure = "resident bytes a connection, at most"
	figureP50        figure = "ns of latency, p50"
	figureP99        figure = "ns of latency, p99"
	figureDials      figure = "dials/s"
	figureDialCPU    figure = "ns of CPU a dial"
)

var figures = []figure{
	figureRate, figureCPU, figureP50, figureP99, figureWire,
	figureMemory, figureResident, figureGoroutines, figureDials, figureDialCPU,
}

// in returns where the figure stands in a sample.
func (f figure) in(s *sample) *float64 {
	switch f {
	case figureRate:
		return &s.Rate
	case figureCPU:
		return &s.CPU
	case figureWire:
		return &s.Wire
	case figureMemory:
		return &s.Memory
	case figureResident:
		return &s.Resident
	case figureP50:
		return &s.P50
	case figureP99:
		return &s.P99
	case figureDials:
		return &s.Dials
	case figureDialCPU:
		return &s.DialCPU
	default:
		return &s.Goroutines
	}
}

// more reports whether more of it is better.
func (f figure) more() bool { return f == figureRate || f == figureDials }

// heading is what a table calls it.
func (f figure) heading() string {
	switch f {
	case figureCPU:
		return "CPU/message"
	case figureP50:
		return "p50"
	case figureP99:
		return "p99"
	case figureWire:
		return "wire/message"
	case figureMemory:
		return "memory"
	case figureResident:
		return "resident"
	case figureGoroutines:
		return "goroutines"
	case figureDialCPU:
		return "CPU/dial"
	default:
		return string(f)
	}
}

// caption is what a chart calls it where it shows several.
func (f figure) caption() string {
	switch f {
	case figureCPU:
		return "CPU a message"
	case figureP99:
		return "p99 latency"
	case figureMemory:
		return "memory a connection"
	case figureDials:
		return "dials a second"
	default:
		return "messages a second"
	}
}

// write writes a value with its unit and three digits.
func (f figure) write(v float64) string {
	switch f {
	case figureCPU, figureDialCPU, figureP50, figureP99:
		return duration(v)
	case figureWire, figureMemory, figureResident:
		return short(v) + "B"
	default:
		return short(v)
	}
}

// duration writes nanoseconds.
func duration(v float64) string {
	switch {
	case v >= 999.5e3:
		return fmt.Sprintf("%.3g ms", v/1e6)
	case v >= 999.5:
		return fmt.Sprintf("%.3g us", v/1e3)
	default:
		return fmt.Sprintf("%.3g ns", v)
	}
}

// short writes a number with three digits and a thousands' letter.
func short(v float64) string {
	switch {
	case v >= 999.5e3:
		return fmt.Sprintf("%.3g M", v/1e6)
	case v >= 999.5:
		return fmt.Sprintf("%.3g k", v/1e3)
	default:
		return fmt.Sprintf("%.3g ", v)
	}
}

func (f figure) better(a, b float64) bool {
	if f.more() {
		return a > b
	}
	return a < b
}

// medians returns the median of each figure.
func medians(all []sample) sample {
	var result sample
	for _, f := range figures {
		values := make([]float64, len(all))
		for i := range all {
			values[i] = *f.in(&all[i])
		}
		*f.in(&result) = median(values)
	}
	return result
}

// median returns the middle of the values, or the mean of the middle two; 0 of
// none. It sorts them.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.SortFunc(values, cmp.Compare)
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half]
	}
	return (values[half-1] + values[half]) / 2
}
