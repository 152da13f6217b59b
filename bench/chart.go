package main

import (
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// A sheet is one chart: what belongs together, figure after figure.
type sheet struct {
	file    string
	title   string
	figures []figure
	shows   func(*comparison, figure) bool
}

var sheets = []sheet{
	{"speed.png", "messages a second over TCP (more is better)", []figure{figureRate}, func(c *comparison, f figure) bool {
		return c.figure == f && !c.many() && !c.within("tls/") && !c.within("deflate/")
	}},
	{"tls.png", "messages a second over TLS 1.3 (more is better)", []figure{figureRate}, func(c *comparison, f figure) bool {
		return c.figure == f && !c.many() && c.within("tls/")
	}},
	{"deflate.png", "messages a second with permessage-deflate (more is better)", []figure{figureRate}, func(c *comparison, f figure) bool {
		return c.figure == f && c.within("deflate/")
	}},
	{"memory.png", "bytes of heap in use and stacks for each idle connection (less is better)", []figure{figureMemory}, func(c *comparison, f figure) bool {
		return c.figure == f
	}},
	{"fleet.png", "many connections into one channel, over TCP", fleetFigures, func(c *comparison, f figure) bool {
		return !c.within("tls/") && fleetShows(c, f)
	}},
	{"fleet-tls.png", "many connections into one channel, over TLS 1.3", fleetFigures, func(c *comparison, f figure) bool {
		return c.within("tls/") && fleetShows(c, f)
	}},
}

var fleetFigures = []figure{figureRate, figureMemory, figureCPU, figureP99, figureDials}

// fleetShows leaves out what is alike for all libraries, or nothing to go by.
func fleetShows(c *comparison, f figure) bool {
	paced := c.figure == figureCPU
	return c.many() && paced == (f != figureRate && f != figureMemory)
}

// many reports whether it is about the messages of many connections.
func (c *comparison) many() bool { return c.Connections > 0 && c.figure != figureMemory }

func (c *comparison) within(prefix string) bool { return strings.HasPrefix(c.Workload, prefix) }

const (
	columns     = 3
	panelWidth  = 4 * vg.Inch
	barHeight   = 0.17 * vg.Inch
	panelMargin = 0.5 * vg.Inch // of a panel's height, for its title
	stripHeight = 0.5 * vg.Inch // title, key and caption of the sheet
	panelGap    = 8 * vg.Length(1)
	sideMargin  = 0.3 * vg.Inch // for names that reach beyond their panel
)

var colors = map[kind]color.Color{
	ceiling:  color.Gray{0xd8},
	baseline: color.Gray{0x9a},
	peer:     color.Gray{0x9a},
	tuned:    color.Gray{0xbe},
	ours:     color.RGBA{0x1f, 0x77, 0xb4, 0xff},
	before:   color.RGBA{0xa6, 0xc8, 0xe0, 0xff},
}

// key explains the colors.
const key = "blue: wsflow; dark: each message by one call, with the library's own settings; " +
	"light: read as a stream into reused memory, with 64 KiB buffers; lightest: no library"

// draw writes each sheet that has something to show.
func (r *report) draw(folder string, dotsPerInch int) error {
	for _, s := range sheets {
		var panels []panel
		for _, f := range s.figures {
			for _, c := range r.Results {
				if s.shows(c, f) {
					panels = append(panels, panel{c, f})
				}
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

func (s sheet) draw(path string, panels []panel, caption string, dotsPerInch int) error {
	places, cols, height := arrange(panels)
	size := vg.Point{
		X: max(2, font.Length(cols))*panelWidth + 2*sideMargin,
		Y: height + 2*stripHeight,
	}
	image := vgimg.NewWith(vgimg.UseWH(size.X, size.Y), vgimg.UseDPI(dotsPerInch))
	canvas := draw.New(image)
	writeLine(canvas, s.title, 12, canvas.Max.Y-stripHeight/3)
	writeLine(canvas, key, 8, canvas.Max.Y-stripHeight*4/5)
	writeLine(canvas, caption, 8, canvas.Min.Y+stripHeight/2)
	canvas = draw.Crop(canvas, sideMargin, -sideMargin, stripHeight, -stripHeight)
	width := (canvas.Max.X - canvas.Min.X) / font.Length(cols)
	for i, p := range panels {
		drawn, err := p.plot()
		if err != nil {
			return err
		}
		left, top := canvas.Min.X+width*font.Length(places[i].column), canvas.Max.Y-places[i].top
		drawn.Draw(draw.Canvas{Canvas: canvas.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left, Y: top - p.height()},
			Max: vg.Point{X: left + width - panelGap, Y: top - panelGap},
		}})
	}
	return save(path, image)
}

// A place is where a panel stands, from the top of its column.
type place struct {
	column int
	top    vg.Length
}

// arrange puts each panel below the column that is shortest so far. It returns
// the number of columns and the height of the longest.
func arrange(panels []panel) (places []place, cols int, height vg.Length) {
	cols = min(columns, len(panels))
	ends := make([]vg.Length, cols)
	for _, p := range panels {
		shortest := slices.Index(ends, slices.Min(ends))
		places = append(places, place{shortest, ends[shortest]})
		ends[shortest] += p.height()
	}
	return places, cols, slices.Max(ends)
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

// A panel is one figure of a comparison.
type panel struct {
	of     *comparison
	figure figure
}

func (p panel) height() vg.Length { return panelMargin + font.Length(len(p.of.Entries))*barHeight }

// title says what is shown; the sheet says it where all panels show the same.
func (p panel) title() string {
	if p.of.many() {
		return p.of.Title + ": " + p.figure.caption()
	}
	return p.of.Title
}

// plot draws a bar for each library, the first on top.
func (p panel) plot() (*plot.Plot, error) {
	drawn := plot.New()
	drawn.Title.Text = p.title()
	drawn.HideX()
	entries := p.of.Entries
	names := make([]string, len(entries))
	var ends plotter.XYLabels
	most := 0.0
	for i, e := range entries {
		row := len(entries) - 1 - i
		value := e.value(p.figure)
		bar, err := plotter.NewBarChart(plotter.Values{value}, barHeight*0.8)
		if err != nil {
			return nil, err
		}
		bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, float64(row), colors[e.Kind], 0
		drawn.Add(bar)
		names[row] = e.Label
		ends.XYs = append(ends.XYs, plotter.XY{X: value, Y: float64(row)})
		ends.Labels = append(ends.Labels, " "+p.figure.write(value))
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
	drawn.Add(labels)
	drawn.NominalY(names...)
	drawn.X.Min, drawn.X.Max = 0, most*1.25 // room for the labels
	drawn.Y.Min, drawn.Y.Max = -0.5, float64(len(names))-0.5
	drawn.Title.TextStyle.Font.Variant, drawn.Title.TextStyle.Font.Size = "Sans", 10
	drawn.Y.Tick.Label.Font.Variant, drawn.Y.Tick.Label.Font.Size = "Sans", 8
	return drawn, nil
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
