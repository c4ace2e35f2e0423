module example.test/hook-relay

go 1.23
