package doctor

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	gopsutilnet "github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"
)

// port sees whether a server could listen there, and if not, who does.
func port(ctx context.Context, number int) Check {
	if number < 1 || number > 65535 {
		return fail("port", "name one from 1 to 65535 with --port", "%d is not a port", number)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if err != nil {
		fix := "bench takes a free port by itself; for serve name another with --port"
		who, pid := holder(ctx, number)
		if pid > 0 {
			fix += fmt.Sprintf("; or end that program: kill %d", pid)
		}
		return warn("port", fix, "127.0.0.1:%d cannot be had: %v; %s", number, err, who)
	}
	if err := l.Close(); err != nil {
		return warn("port", "", "%v", err)
	}
	return ok("port", "127.0.0.1:%d is free", number)
}

// holder names the program that listens on a port. Programs of other users are seen by
// root alone.
func holder(ctx context.Context, number int) (who string, pid int32) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	const unknown = "who holds it is not visible to this user (`sudo lsof -i :%d` may tell)"
	connections, err := gopsutilnet.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return fmt.Sprintf(unknown, number), 0
	}
	for _, c := range connections {
		if c.Status != "LISTEN" || int(c.Laddr.Port) != number || c.Pid == 0 {
			continue
		}
		who := fmt.Sprintf("process %d holds it", c.Pid)
		if p, err := process.NewProcessWithContext(ctx, c.Pid); err == nil {
			if name, err := p.NameWithContext(ctx); err == nil {
				who = fmt.Sprintf("%s, process %d, holds it", name, c.Pid)
			}
		}
		return who, c.Pid
	}
	return fmt.Sprintf(unknown, number), 0
}
