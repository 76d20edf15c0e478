// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// visitor is a user with a browser. It records errors on the console, dialogs, and requests to other hosts, none of which
// should occur.
type visitor struct {
	t      testing.TB
	ctx    context.Context
	base   string
	mu     sync.Mutex
	wrongs []string
}

func visit(t testing.TB, base string) *visitor {
	t.Helper()
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		require.Empty(t, os.Getenv("TASKER_PEERS"), "chromium is not installed")
		t.Skip("needs a peer: chromium is not installed (scripts/install-peers.sh)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WSURLReadTimeout(time.Minute), chromedp.WindowSize(1360, 1000))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	ctx, late := context.WithTimeout(ctx, 4*time.Minute)
	v := &visitor{t: t, ctx: ctx, base: base}
	t.Cleanup(func() {
		late()
		cancel()
		stop()
	})
	host, err := url.Parse(base)
	require.NoError(t, err)
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			v.wrong("exception: " + e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			v.wrong("console: " + string(e.Type))
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError {
				v.wrong("log: " + e.Entry.Text + " " + e.Entry.URL)
			}
		case *page.EventJavascriptDialogOpening:
			v.wrong("dialog: " + e.Message)
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err != nil || u.Host != host.Host {
				v.wrong("request to " + e.Request.URL)
			}
		}
	})
	v.do(runtime.Enable(), log.Enable(), network.Enable(), page.Enable())
	return v
}

func (v *visitor) wrong(what string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.wrongs = append(v.wrongs, what)
}

func (v *visitor) do(actions ...chromedp.Action) {
	v.t.Helper()
	require.NoError(v.t, chromedp.Run(v.ctx, actions...))
}

func (v *visitor) open(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.base+path), chromedp.WaitReady("main"))
}

// click clicks an element and waits for content of the next page.
func (v *visitor) click(selector, then string) {
	v.t.Helper()
	v.do(chromedp.Click(selector, chromedp.NodeVisible), chromedp.WaitVisible(then))
}

func (v *visitor) text(selector string) (text string) {
	v.t.Helper()
	v.do(chromedp.Text(selector, &text))
	return strings.Join(strings.Fields(text), " ")
}

func (v *visitor) path() (path string) {
	v.t.Helper()
	v.do(chromedp.Evaluate(`location.pathname + location.search`, &path))
	return path
}

// eval runs a script, which the pages' Content-Security-Policy does not restrict.
func eval[R any](v *visitor, script string) (result R) {
	v.t.Helper()
	v.do(chromedp.Evaluate(script, &result))
	return result
}

// await waits until a script returns true.
func (v *visitor) await(what, script string) {
	v.t.Helper()
	deadline := time.Now().Add(time.Minute)
	said := func() (so bool) {
		err := chromedp.Run(v.ctx, chromedp.Evaluate(script, &so))
		return err == nil && so // fails during navigation
	}
	for !said() {
		if time.Now().After(deadline) {
			v.t.Fatalf("no %s in a minute; the page: %.600s", what, v.text("main"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (v *visitor) size(width, height int64) {
	v.do(emulation.SetDeviceMetricsOverride(width, height, 1, false))
}

func (v *visitor) dark(on bool) {
	scheme := "light"
	if on {
		scheme = "dark"
	}
	v.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// shot saves a screenshot in TASKER_SCREENSHOTS or bin/screenshots.
func (v *visitor) shot(name string) {
	v.t.Helper()
	folder := os.Getenv("TASKER_SCREENSHOTS")
	if folder == "" {
		folder = "../../bin/screenshots"
	}
	require.NoError(v.t, os.MkdirAll(folder, 0o755))
	var picture []byte
	v.do(chromedp.CaptureScreenshot(&picture))
	require.NoError(v.t, os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644))
}

// isFine checks every page's invariants: no errors, no overflow, accessible names, and readable text.
func (v *visitor) isFine(path string) {
	v.t.Helper()
	v.mu.Lock()
	require.Empty(v.t, v.wrongs, path)
	v.mu.Unlock()
	require.Empty(v.t, eval[[]string](v, checks), path)
}

// checks returns accessibility problems and overflowing elements.
const checks = `(() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) found.push('the page is wider than the window: ' + root.scrollWidth + ' > ' + innerWidth);
  if (!root.lang) found.push('no language');
  if (document.querySelectorAll('h1').length !== 1) found.push('not one h1');
  for (const c of document.querySelectorAll('input:not([type=hidden]),select,button')) {
    if (!c.labels.length && !c.getAttribute('aria-label') && !c.textContent.trim()) found.push('no label: ' + c.outerHTML);
  }
  for (const s of document.querySelectorAll('svg')) {
    if (!s.closest('[aria-hidden=true]') && !s.getAttribute('aria-label')) found.push('no name: ' + s.outerHTML.slice(0, 80));
  }
  for (const a of document.querySelectorAll('a')) {
    if (!a.textContent.trim() && !a.getAttribute('aria-label')) found.push('no text: ' + a.outerHTML.slice(0, 80));
  }
  for (const t of document.querySelectorAll('table')) {
    if (!t.querySelector('th[scope=col]')) found.push('no head: ' + t.outerHTML.slice(0, 80));
  }
  const rgb = (text) => { const c = document.createElement('canvas').getContext('2d'); c.fillStyle = text; c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  const seen = new Set();
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.nodeValue.trim()) || e.closest('svg,[hidden],option')) continue;
    const color = getComputedStyle(e).color;
    const on = ground(e);
    const key = color + on;
    if (seen.has(key)) continue;
    seen.add(key);
    const [a, b] = [light(rgb(color)), light(on)].sort((x, y) => y - x);
    const contrast = (a + .05) / (b + .05);
    if (contrast < 4.5) found.push('contrast ' + contrast.toFixed(2) + ' of ' + color + ' on ' + on + ': ' + e.textContent.trim().slice(0, 40));
  }
  return found;
})()`
