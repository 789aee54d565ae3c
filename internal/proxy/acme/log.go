package acme

import (
	"context"
	"log/slog"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// bridge returns a logger for certmagic. All that it says is for those who look for the reason
// of something: what anybody has to know is said by a Manager, in one line.
func bridge(log *slog.Logger) *zap.Logger {
	lines := slog.NewLogLogger(log.With("from", "certmagic").Handler(), slog.LevelDebug).Writer()
	wanted := zap.LevelEnablerFunc(func(zapcore.Level) bool { return log.Enabled(context.Background(), slog.LevelDebug) })
	format := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "msg", NameKey: "logger", EncodeDuration: zapcore.StringDurationEncoder, EncodeTime: zapcore.RFC3339TimeEncoder})
	return zap.New(zapcore.NewCore(format, zapcore.AddSync(lines), wanted))
}
