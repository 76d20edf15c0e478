// Package scrape finds the metrics endpoints of collectors and reads them, with retries.
package scrape
