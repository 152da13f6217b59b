package main

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A sheet is one chart: the comparisons that belong together.
type sheet struct {
	file    string
	title   string
	belongs func(*comparison) bool
}

var sheets = []sheet{
	{"speed.png", "messages a second over TCP (more is better)", func(c *comparison) bool {
		return c.figure == figureRate && !strings.HasPrefix(c.Workload, "tls/") && !strings.HasPrefix(c.Workload, "deflate/")
	}},
	{"tls.png", "messages a second over TLS 1.3 (more is better)", func(c *comparison) bool {
		return strings.HasPrefix(c.Workload, "tls/")
	}},
	{"deflate.png", "messages a second with permessage-deflate (more is better)", func(c *comparison) bool {
		return c.figure == figureRate && strings.HasPrefix(c.Workload, "deflate/")
	}},
	{"memory.png", "bytes of heap in use and stacks for each idle connection (less is better)", func(c *comparison) bool {
		return c.figure == figureMemory
	}},
}

const (
	columns     = 3
	panelWidth  = 4 * vg.Inch
	barHeight   = 0.17 * vg.Inch
	panelMargin = 0.6 * vg.Inch // of a panel's height, for its title
	stripHeight = 0.5 * vg.Inch // title, key and caption of the sheet
	sideMargin  = 0.3 * vg.Inch // for names that reach beyond their panel
)

var colors = map[kind]color.Color{
	ceiling:  color.Gray{0xd8},
	baseline: color.Gray{0x9a},
	peer:     color.Gray{0x9a},
	tuned:    color.Gray{0xbe},
	ours:     color.RGBA{0x1f, 0x77, 0xb4, 0xff},
}

// key explains the colors.
const key = "blue: wsflow; dark: each message by one call, with the library's own settings; " +
	"light: read as a stream into reused memory, with 64 KiB buffers; lightest: no library"

// draw writes each sheet that has something to show.
func (r *report) draw(folder string, dotsPerInch int) error {
	for _, s := range sheets {
		var panels []*comparison
		for _, c := range r.Results {
			if s.belongs(c) {
				panels = append(panels, c)
			}
		}
		if len(panels) == 0 {
			continue
		}
		if err := s.draw(filepath.Join(folder, s.file), panels, r.caption(), dotsPerInch); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) caption() string { return fmt.Sprintf("%v; medians of: %s", r.Machine, r.Command) }

func (s sheet) draw(path string, panels []*comparison, caption string, dotsPerInch int) error {
	cols := min(columns, len(panels))
	rows := (len(panels) + cols - 1) / cols
	bars := 0
	for _, c := range panels {
		bars = max(bars, len(c.Entries))
	}
	size := vg.Point{
		X: max(2, font.Length(cols))*panelWidth + 2*sideMargin,
		Y: font.Length(rows)*(panelMargin+font.Length(bars)*barHeight) + 2*stripHeight,
	}
	image := vgimg.NewWith(vgimg.UseWH(size.X, size.Y), vgimg.UseDPI(dotsPerInch))
	canvas := draw.New(image)
	writeLine(canvas, s.title, 12, canvas.Max.Y-stripHeight/3)
	writeLine(canvas, key, 8, canvas.Max.Y-stripHeight*4/5)
	writeLine(canvas, caption, 8, canvas.Min.Y+stripHeight/2)
	canvas = draw.Crop(canvas, sideMargin, -sideMargin, stripHeight, -stripHeight)
	tiles := draw.Tiles{Rows: rows, Cols: cols, PadX: vg.Points(12), PadY: vg.Points(6)}
	for i, c := range panels {
		p, err := c.panel(bars)
		if err != nil {
			return err
		}
		p.Draw(tiles.At(canvas, i%cols, i/cols))
	}
	return save(path, image)
}

// writeLine writes a line in the middle of the canvas' width.
func writeLine(canvas draw.Canvas, line string, size vg.Length, y vg.Length) {
	style := text.Style{
		Color:   color.Black,
		Font:    font.From(plot.DefaultFont, size),
		XAlign:  text.XCenter,
		YAlign:  text.YCenter,
		Handler: plot.DefaultTextHandler,
	}
	style.Font.Variant = "Sans"
	canvas.FillText(style, vg.Point{X: canvas.Center().X, Y: y}, line)
}

// panel draws one comparison: a bar for each library, the first on top, with
// room for as many as the largest comparison of the sheet has.
func (c *comparison) panel(bars int) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = c.Workload
	p.HideX()
	names := make([]string, len(c.Entries))
	var ends plotter.XYLabels
	most := 0.0
	for i, e := range c.Entries {
		row := len(c.Entries) - 1 - i
		value := e.value(c.figure)
		bar, err := plotter.NewBarChart(plotter.Values{value}, barHeight*0.8)
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, float64(row), colors[e.Kind], 0
		p.Add(bar)
		names[row] = e.Library
		ends.XYs = append(ends.XYs, plotter.XY{X: value, Y: float64(row)})
		ends.Labels = append(ends.Labels, " "+short(value))
		most = max(most, value)
	}
	labels, err := plotter.NewLabels(ends)
	if err != nil {
		return nil, err
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i].YAlign = text.YCenter
		labels.TextStyle[i].Font.Variant = "Sans"
		labels.TextStyle[i].Font.Size = 8
	}
	p.Add(labels)
	p.NominalY(names...)
	p.X.Min, p.X.Max = 0, most*1.2 // room for the labels
	p.Y.Min, p.Y.Max = float64(len(names)-bars)-0.5, float64(len(names))-0.5
	p.Title.TextStyle.Font.Variant, p.Title.TextStyle.Font.Size = "Sans", 10
	p.Y.Tick.Label.Font.Variant, p.Y.Tick.Label.Font.Size = "Sans", 8
	return p, nil
}

// short writes a number with three digits and a thousands' letter.
func short(v float64) string {
	switch {
	case v >= 999.5e3:
		return fmt.Sprintf("%.3g M", v/1e6)
	case v >= 999.5:
		return fmt.Sprintf("%.3g k", v/1e3)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

func save(path string, image *vgimg.Canvas) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := (vgimg.PngCanvas{Canvas: image}).WriteTo(f); err != nil {
		return err
	}
	return f.Close()
}
