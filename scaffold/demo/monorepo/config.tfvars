# Read by every stack through terragrunt. Nothing secret stands here: that is in Vault.

tls_secret_name = "wildcard-tls"

# The NFS host: /srv/nfs on spinning disks.
nfs_server = "192.0.2.20"

# Shared databases. Always the primary of the cluster, never a pod of it.
postgresql_host = "pg-cluster-rw.dbaas.svc.cluster.local"
mysql_host      = "mysql.dbaas.svc.cluster.local"
redis_host      = "redis-master.redis.svc.cluster.local"

ollama_host = "ollama.ollama.svc.cluster.local"
mail_host   = "mail.example.test"

# The address that the internet knows the house by.
public_ip = "203.0.113.7"
