// Package handover passes listening sockets from a process to its successor
// over a Unix socket. The accept queue is shared, so that no connection is
// refused while both are up.
package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	greeting   = "fairlead-handover/1"
	up         = "up"
	maxSockets = 128
	maxMessage = 32 << 10
)

// Socket is a listening socket with its listener's name.
type Socket struct {
	Name string
	File *os.File
}

// Listen opens the socket at path on which a successor asks. It takes the
// place of a socket that is there. Only the owner may connect (mode 0600).
func Listen(path string) (*net.UnixListener, error) {
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("handover socket: %w", err)
	}
	if dir.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("handover socket %s: others may write to its directory; chmod go-w it", path)
	}
	if old, err := os.Lstat(path); err == nil && old.Mode()&os.ModeSocket == 0 {
		return nil, fmt.Errorf("handover socket %s: a file that is no socket is there; remove it or choose another path", path)
	}
	fresh := fmt.Sprintf("%s.%d", path, os.Getpid())
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: fresh, Net: "unixpacket"})
	if err != nil {
		return nil, fmt.Errorf("handover socket %s: %w", path, err)
	}
	l.SetUnlinkOnClose(false)
	if err = os.Chmod(fresh, 0o600); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("handover socket %s: %w", path, err), l.Close(), os.Remove(fresh))
	}
	return l, nil
}

// Ask connects to the process that serves at path. Without one there, it
// returns nil and no error: the caller is the first.
func Ask(path string) (*net.UnixConn, error) {
	conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("handover: connect to %s: %w", path, err)
	}
	return conn, nil
}

// Offer sends sockets to the successor at conn and waits until it is up. With
// an error the successor has failed, and the caller goes on as before.
func Offer(conn *net.UnixConn, sockets []Socket) error {
	if len(sockets) > maxSockets {
		return fmt.Errorf("handover: %d sockets; at most %d can be handed over", len(sockets), maxSockets)
	}
	message := greeting
	fds := make([]int, 0, len(sockets))
	for _, s := range sockets {
		message += "\n" + s.Name
		fd, err := number(s.File)
		if err != nil {
			return fmt.Errorf("handover: the socket of %s: %w", s.Name, err)
		}
		fds = append(fds, fd)
	}
	defer runtime.KeepAlive(sockets)
	if len(message) > maxMessage {
		return fmt.Errorf("handover: the listeners' names take %d bytes; at most %d", len(message), maxMessage)
	}
	if _, _, err := conn.WriteMsgUnix([]byte(message), syscall.UnixRights(fds...), nil); err != nil {
		return fmt.Errorf("handover: send the sockets: %w", err)
	}
	answer := make([]byte, len(up)+1)
	n, err := conn.Read(answer)
	if err != nil {
		return fmt.Errorf("handover: the successor ended before it was up: %w", err)
	}
	if string(answer[:n]) != up {
		return errors.New("handover: the successor ended before it was up")
	}
	return nil
}

// number is f's descriptor. File.Fd could set the socket to blocking, and with
// it the listener of this process, which shares it.
func number(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	err = raw.Control(func(n uintptr) { fd = int(n) })
	return fd, err
}

// Receive takes the sockets that the process at conn offers. The caller closes
// their files.
func Receive(conn *net.UnixConn) ([]Socket, error) {
	data, rights := make([]byte, maxMessage), make([]byte, syscall.CmsgSpace(4*maxSockets))
	n, rn, flags, _, err := conn.ReadMsgUnix(data, rights)
	if err != nil {
		return nil, fmt.Errorf("handover: receive the sockets: %w", err)
	}
	files, err := filesIn(rights[:rn])
	if err == nil && flags&(syscall.MSG_TRUNC|syscall.MSG_CTRUNC) != 0 {
		err = errors.New("handover: the message was cut off")
	}
	var names []string
	if err == nil {
		names, err = parse(data[:n])
	}
	if err == nil && len(names) != len(files) {
		err = fmt.Errorf("handover: %d names came with %d sockets", len(names), len(files))
	}
	if err != nil {
		for _, f := range files {
			err = errors.Join(err, f.Close())
		}
		return nil, err
	}
	sockets := make([]Socket, len(files))
	for i := range files {
		sockets[i] = Socket{Name: names[i], File: files[i]}
	}
	return sockets, nil
}

// Up tells the process at conn that its successor serves.
func Up(conn *net.UnixConn) error {
	_, err := conn.Write([]byte(up))
	return err
}

func filesIn(rights []byte) ([]*os.File, error) {
	messages, err := syscall.ParseSocketControlMessage(rights)
	var files []*os.File
	for i := range messages {
		fds, wrong := syscall.ParseUnixRights(&messages[i])
		err = errors.Join(err, wrong)
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "handover"))
		}
	}
	return files, err
}

func parse(data []byte) ([]string, error) {
	lines := strings.Split(string(data), "\n")
	if lines[0] != greeting {
		return nil, errors.New("handover: the other process speaks another version; restart it instead")
	}
	if len(lines)-1 > maxSockets {
		return nil, fmt.Errorf("handover: %d names; at most %d", len(lines)-1, maxSockets)
	}
	return lines[1:], nil
}
