// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// checker reads one file once, page by page.
type checker struct {
	file  *os.File
	size  uint64
	head  meta
	used  []bool // pages that something refers to
	visit func(bucket, key, value []byte) error
	found Summary
}

// page is a page with its overflow.
type page struct {
	id    uint64
	flags uint16
	count int
	data  []byte // including its header; positions count from its beginning
}

func (c *checker) check() error {
	pageSize := uint64(c.head.pageSize)
	if c.head.pages < 3 || c.head.pages > c.size/pageSize {
		return damaged("it has %d bytes and should have %d pages of %d", c.size, c.head.pages, pageSize)
	}
	c.used = make([]bool, c.head.pages)
	c.used[0], c.used[1] = true, true
	if c.head.freelist != noFreelist {
		if err := c.checkFreelist(); err != nil {
			return err
		}
	}
	return c.walk(nil, c.head.root, nil, nil)
}

// checkFreelist reads the list of free pages, which file_storage keeps only in a file that was never written to.
func (c *checker) checkFreelist() error {
	p, err := c.read(c.head.freelist)
	if err != nil {
		return err
	}
	if p.flags != flagFreelist {
		return damaged("page %d should be the list of free pages and has the flags %x", p.id, p.flags)
	}
	first, count := 0, uint64(p.count)
	if p.count == 0xFFFF { // then the first element is the number
		first, count = 1, binary.NativeEndian.Uint64(p.data[headerSize:])
	}
	if count > uint64(len(p.data)-headerSize)/8-uint64(first) {
		return damaged("the list of free pages has %d elements in %d bytes", count, len(p.data))
	}
	for i := range int(count) {
		if err := c.use(binary.NativeEndian.Uint64(p.data[headerSize+8*(first+i):]), 1); err != nil {
			return err
		}
	}
	return nil
}

// use marks a page and its overflow pages as used.
func (c *checker) use(id, pages uint64) error {
	if id < 2 || id >= c.head.pages || pages > c.head.pages-id {
		return damaged("page %d (%d pages) lies outside of the %d pages", id, pages, c.head.pages)
	}
	for i := id; i < id+pages; i++ {
		if c.used[i] {
			return damaged("page %d is in use twice", i)
		}
		c.used[i] = true
	}
	return nil
}

// read reads a page that nothing else may refer to.
func (c *checker) read(id uint64) (page, error) {
	if id < 2 || id >= c.head.pages {
		return page{}, damaged("page %d lies outside of the %d pages", id, c.head.pages)
	}
	pageSize := uint64(c.head.pageSize)
	data := make([]byte, pageSize)
	if err := c.readAt(data, id); err != nil {
		return page{}, err
	}
	if own := binary.NativeEndian.Uint64(data); own != id {
		return page{}, damaged("page %d says that it is page %d", id, own)
	}
	overflow := uint64(binary.NativeEndian.Uint32(data[12:]))
	if err := c.use(id, 1+overflow); err != nil {
		return page{}, err
	}
	if overflow > 0 {
		data = append(data, make([]byte, overflow*pageSize)...)
		if err := c.readAt(data[pageSize:], id+1); err != nil {
			return page{}, err
		}
	}
	return pageOf(data), nil
}

func (c *checker) readAt(data []byte, id uint64) error {
	_, err := c.file.ReadAt(data, int64(id*uint64(c.head.pageSize)))
	if errors.Is(err, io.EOF) {
		return damaged("page %d is cut", id)
	}
	return err
}

func pageOf(data []byte) page {
	return page{
		id:    binary.NativeEndian.Uint64(data),
		flags: binary.NativeEndian.Uint16(data[8:]),
		count: int(binary.NativeEndian.Uint16(data[10:])),
		data:  data,
	}
}

// walk reads the tree below a page, whose keys must be at least least and less than limit; nil means no bound.
func (c *checker) walk(bucket []byte, id uint64, least, limit []byte) error {
	p, err := c.read(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case flagBranch:
		return c.branch(bucket, p, least, limit)
	case flagLeaf:
		return c.leaf(bucket, p, least, limit)
	}
	return damaged("page %d has the flags %x", id, p.flags)
}

func (c *checker) branch(bucket []byte, p page, least, limit []byte) error {
	if p.count == 0 {
		return damaged("page %d has no elements", p.id)
	}
	keys, pages := make([][]byte, p.count), make([]uint64, p.count)
	for i := range p.count {
		at := headerSize + branchElement*i
		if at+branchElement > len(p.data) {
			return damaged("page %d has %d elements in %d bytes", p.id, p.count, len(p.data))
		}
		element := p.data[at:]
		key, err := p.part(at, uint64(binary.NativeEndian.Uint32(element)), uint64(binary.NativeEndian.Uint32(element[4:])))
		if err != nil {
			return err
		}
		if err := inOrder(p, i, key, least, limit); err != nil {
			return err
		}
		keys[i], pages[i], least = key, binary.NativeEndian.Uint64(element[8:]), key
	}
	for i, below := range pages {
		until := limit
		if i+1 < len(keys) {
			until = keys[i+1]
		}
		if err := c.walk(bucket, below, keys[i], until); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) leaf(bucket []byte, p page, least, limit []byte) error {
	for i := range p.count {
		at := headerSize + leafElement*i
		if at+leafElement > len(p.data) {
			return damaged("page %d has %d elements in %d bytes", p.id, p.count, len(p.data))
		}
		element := p.data[at:]
		flags, position := binary.NativeEndian.Uint32(element), uint64(binary.NativeEndian.Uint32(element[4:]))
		keySize, valueSize := uint64(binary.NativeEndian.Uint32(element[8:])), uint64(binary.NativeEndian.Uint32(element[12:]))
		both, err := p.part(at, position, keySize+valueSize)
		if err != nil {
			return err
		}
		key, value := both[:keySize], both[keySize:]
		if err := inOrder(p, i, key, least, limit); err != nil {
			return err
		}
		least = key
		if flags&flagBucket != 0 {
			err = c.bucket(key, value)
		} else {
			c.found.Keys++
			if c.visit != nil {
				err = c.visit(bucket, key, value)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket reads a bucket. A small one has its only page in the value.
func (c *checker) bucket(name, value []byte) error {
	if len(value) < bucketHeader {
		return damaged("a bucket has a head of %d bytes", len(value))
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return c.walk(name, root, nil, nil)
	}
	inner := value[bucketHeader:]
	if len(inner) < headerSize {
		return damaged("a bucket's page has %d bytes", len(inner))
	}
	p := pageOf(inner)
	if p.flags != flagLeaf {
		return damaged("a bucket's page has the flags %x", p.flags)
	}
	return c.leaf(name, p, nil, nil)
}

// part returns size bytes of the page, at a position relative to an element.
func (p *page) part(element int, position, size uint64) ([]byte, error) {
	from := uint64(element) + position
	if from > uint64(len(p.data)) || size > uint64(len(p.data))-from {
		return nil, damaged("an element of page %d lies outside of it", p.id)
	}
	return p.data[from : from+size], nil
}

// inOrder checks the key of an element. Keys ascend; the first of a page may be the bound itself.
func inOrder(p page, element int, key, least, limit []byte) error {
	order := bytes.Compare(least, key)
	if len(key) == 0 || limit != nil && bytes.Compare(key, limit) >= 0 || least != nil && (order > 0 || order == 0 && element > 0) {
		return damaged("the keys of page %d are out of order", p.id)
	}
	return nil
}
