// Package message reads the heads and the chunks of HTTP/1.1 messages (RFC 9110, RFC
// 9112), strictly: what one reader could take for one message and another for a different
// one is refused. It does no input or output, holds no more than offsets into its caller's
// buffer, and allocates nothing once its slices have grown.
//
// Where the RFCs let a recipient choose, it refuses:
//
//   - lines that end in LF alone, bare CR, NUL and other control characters;
//   - folded fields, and whitespace before a field's colon;
//   - a Content-Length that is repeated, even with the same value, or a list;
//   - Transfer-Encoding that is anything but chunked alone, or beside Content-Length, or in
//     HTTP/1.0;
//   - a Host that is missing, repeated, malformed, or differs from an absolute target's;
//   - chunk sizes with anything but hexadecimal digits; chunk extensions are read over, and
//     never passed on.
//
// Nothing in this package is safe for concurrent use.
package message
