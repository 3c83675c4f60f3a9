"""Reading a repository, safely. Nothing here changes one."""
