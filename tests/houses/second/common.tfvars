tls_secret_name = "lab-wildcard"
nfs_server      = "tank.lab.example.org"
