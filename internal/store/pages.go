package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The pages of etcd's database, a file of bbolt's. bbolt maps it into memory and trusts what
// it reads, so that a file that is cut short, or a wrong number in it, ends the process. This
// reads the same pages with each number checked, and changes nothing.
const (
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	pageHeader   = 16
	metaSize     = 64
	branchPage   = 0x01
	leafPage     = 0x02
	bucketEntry  = 0x01
	mostPageSize = 64 << 10
	mostDepth    = 64 // of a tree with as many pages as a file may have, with room to spare
)

// pageReader reads a database's pages. each is called with every entry, and its bucket.
type pageReader struct {
	file io.ReaderAt
	size int64
	each func(bucket string, key, value []byte) error

	pageSize uint64
	end      uint64 // pages from here on are not in use
	seen     map[uint64]bool
}

// readPages calls each with everything that is in a database, in order; an error says where
// it is damaged. Keys and values are good until each returns.
func readPages(file io.ReaderAt, size int64, each func(bucket string, key, value []byte) error) error {
	r := &pageReader{file: file, size: size, each: each, seen: map[uint64]bool{}}
	root, err := r.meta()
	if err != nil {
		return err
	}
	return r.tree(root, "", true, 0)
}

// meta reads the newer one of the two pages that a database begins with, as far as they are
// good: the other one is from the write before, and a power failure may leave only that.
func (r *pageReader) meta() (root uint64, err error) {
	var newest []byte
	first, err := r.metaAt(0)
	if err == nil {
		newest = first
	}
	sizes := []uint64{4 << 10, 8 << 10, 16 << 10, 32 << 10, mostPageSize}
	if first != nil {
		sizes = []uint64{uint64(binary.NativeEndian.Uint32(first[8:]))}
	}
	for _, size := range sizes {
		second, bad := r.metaAt(int64(size))
		if bad == nil && (newest == nil || binary.NativeEndian.Uint64(second[48:]) > binary.NativeEndian.Uint64(newest[48:])) {
			newest = second
		}
	}
	if newest == nil {
		return 0, fmt.Errorf("neither of its first pages is good: %w", err)
	}
	r.pageSize = uint64(binary.NativeEndian.Uint32(newest[8:]))
	r.end = binary.NativeEndian.Uint64(newest[40:])
	if r.end > uint64(r.size)/r.pageSize {
		return 0, fmt.Errorf("it has %d bytes, and should have %d pages of %d", r.size, r.end, r.pageSize)
	}
	return binary.NativeEndian.Uint64(newest[16:]), nil
}

// metaAt reads what is known of the whole database from a page that begins at an offset.
func (r *pageReader) metaAt(at int64) ([]byte, error) {
	b := make([]byte, metaSize)
	if _, err := r.file.ReadAt(b, at+pageHeader); err != nil {
		return nil, fmt.Errorf("it has %d bytes", r.size)
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8]) // never fails
	size := binary.NativeEndian.Uint32(b[8:])
	switch {
	case binary.NativeEndian.Uint32(b) != boltMagic || binary.NativeEndian.Uint32(b[4:]) != boltVersion:
		return nil, errors.New("it is no database")
	case binary.NativeEndian.Uint64(b[metaSize-8:]) != sum.Sum64():
		return nil, errors.New("its checksum is wrong")
	case size < 1<<10 || size > mostPageSize || size&(size-1) != 0:
		return nil, fmt.Errorf("it has pages of %d bytes", size)
	}
	return b, nil
}

// tree reads a page of a bucket and those below it.
func (r *pageReader) tree(id uint64, bucket string, top bool, depth int) error {
	if depth > mostDepth {
		return fmt.Errorf("page %d is too deep", id)
	}
	b, err := r.page(id)
	if err != nil {
		return err
	}
	if err := r.node(b, bucket, top, depth); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// page reads one page, with those that it runs on into.
func (r *pageReader) page(id uint64) ([]byte, error) {
	if id < 2 || id >= r.end {
		return nil, fmt.Errorf("page %d is not one of %d", id, r.end)
	}
	head := make([]byte, pageHeader)
	if _, err := r.file.ReadAt(head, int64(id*r.pageSize)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	more := uint64(binary.NativeEndian.Uint32(head[12:]))
	if own := binary.NativeEndian.Uint64(head); own != id {
		return nil, fmt.Errorf("page %d says that it is %d", id, own)
	}
	if more >= r.end-id {
		return nil, fmt.Errorf("page %d runs on for %d pages, beyond the end", id, more)
	}
	for i := id; i <= id+more; i++ {
		if r.seen[i] {
			return nil, fmt.Errorf("page %d is in two places", i)
		}
		r.seen[i] = true
	}
	b := make([]byte, (more+1)*r.pageSize)
	if _, err := r.file.ReadAt(b, int64(id*r.pageSize)); err != nil {
		return nil, fmt.Errorf("page %d: %w", id, err)
	}
	return b, nil
}

// node reads what is on a page.
func (r *pageReader) node(b []byte, bucket string, top bool, depth int) error {
	kind, count := binary.NativeEndian.Uint16(b[8:]), int(binary.NativeEndian.Uint16(b[10:]))
	if kind != branchPage && kind != leafPage {
		return fmt.Errorf("it is of no known kind, %#x", kind)
	}
	if pageHeader*(count+1) > len(b) {
		return fmt.Errorf("%d entries do not fit into it", count)
	}
	var last []byte
	for i := range count {
		at := pageHeader * (i + 1)
		key, err := r.entry(b, at, kind, bucket, top, depth)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if i > 0 && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("entry %d is out of order", i)
		}
		last = key
	}
	return nil
}

// entry reads an entry, and what is below it, and returns its key.
func (r *pageReader) entry(b []byte, at int, kind uint16, bucket string, top bool, depth int) ([]byte, error) {
	word := func(i int) uint32 { return binary.NativeEndian.Uint32(b[at+4*i:]) }
	if kind == branchPage {
		key, _, ok := cut(b[at:], word(0), word(1), 0)
		if !ok {
			return nil, errors.New("its key is beyond the page")
		}
		return key, r.tree(binary.NativeEndian.Uint64(b[at+8:]), bucket, top, depth+1)
	}
	key, value, ok := cut(b[at:], word(1), word(2), word(3))
	switch inner := word(0)&bucketEntry != 0; {
	case !ok:
		return nil, errors.New("its key or value is beyond the page")
	case !inner:
		return key, r.each(bucket, key, value)
	case !top:
		return nil, errors.New("a bucket is within a bucket")
	}
	return key, r.bucket(string(key), value, depth)
}

// bucket reads a bucket: in the value itself if it is small, else from a page.
func (r *pageReader) bucket(name string, value []byte, depth int) error {
	if len(value) < 16 {
		return fmt.Errorf("the bucket %q has no root", name)
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return r.tree(root, name, false, depth+1)
	}
	if len(value) < 16+pageHeader {
		return fmt.Errorf("the bucket %q is cut short", name)
	}
	return r.node(value[16:], name, false, depth+1)
}

// cut returns a key and the value behind it, which begin at a position.
func cut(b []byte, pos, ksize, vsize uint32) (key, value []byte, ok bool) {
	from, mid := uint64(pos), uint64(pos)+uint64(ksize)
	end := mid + uint64(vsize)
	if end > uint64(len(b)) {
		return nil, nil, false
	}
	return b[from:mid], b[mid:end], true
}
