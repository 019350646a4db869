-- What Amazon RDS' master user is: no superuser, but it may make roles and databases, and owns the app's database.
-- PostgreSQL's image runs this when the data volume is empty.
CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD 'master-of-development';
ALTER DATABASE pactum OWNER TO master;
