// Package store keeps the little that must last
package store
